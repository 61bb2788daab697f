const BATCH = 32 * 1024;

/** Writes very many lines, or bytes, to standard output, no faster than they are taken. */
export class Output {
  #lines = '';

  async line(text: string): Promise<void> {
    this.#lines += `${text}\n`;
    if (this.#lines.length > BATCH) await this.flush();
  }

  async flush(): Promise<void> {
    const lines = this.#lines;
    this.#lines = '';
    await this.bytes(Buffer.from(lines, 'utf8'));
  }

  /** The caller may use the bytes again afterwards. */
  async bytes(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }
}
