/** Who this process is, in events and logs. */
export class ServiceIdentity {
  readonly service: string;
  readonly instance: string;

  constructor(service: string, instance: string) {
    this.service = service;
    this.instance = instance;
  }

  /** `<service>:<instance>`, as events name their actor. */
  get actor(): string {
    return `${this.service}:${this.instance}`;
  }
}
