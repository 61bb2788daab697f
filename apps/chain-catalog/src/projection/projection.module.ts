import type { Secret } from '@catena/service';
import { Module, type DynamicModule } from '@nestjs/common';
import { DATABASE_URL, Projection } from './projection.ts';

@Module({})
export class ProjectionModule {
  static at(url: Secret): DynamicModule {
    return {
      module: ProjectionModule,
      global: true,
      providers: [{ provide: DATABASE_URL, useValue: url }, Projection],
      exports: [Projection],
    };
  }
}
