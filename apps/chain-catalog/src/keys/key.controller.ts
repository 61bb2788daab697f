import { catalogRequests } from '@catena/events';
import { AnswersRequest } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { KeyService, type KeyExported } from './key.service.ts';

@Controller()
export class KeyController {
  constructor(@Inject(KeyService) private readonly keys: KeyService) {}

  @AnswersRequest(catalogRequests.keyExported)
  async exported(command: KeyExported) {
    return await this.keys.exported(command);
  }
}
