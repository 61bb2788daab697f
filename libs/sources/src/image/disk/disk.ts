/** What an image is read from and written to: bytes at offsets, whatever holds them. */

/** What came of reading a stretch: so many bytes of data are in the buffer, or it is so many bytes of zeros. */
export interface Stretch {
  readonly length: number;
  readonly zeros: boolean;
}

export interface Disk {
  /** In bytes. */
  readonly size: bigint;
  /**
   * Reads from an offset on; at most what fits into the buffer, less when data and a hole meet. A length of 0 means
   * that nothing is there any more. Buffers of zeros are not filled.
   */
  read(offset: bigint, into: Buffer): Promise<Stretch>;
  close(): Promise<void>;
}

export interface WritableDisk extends Disk {
  write(offset: bigint, bytes: Uint8Array): Promise<void>;
  /** Makes a stretch read as zeros, as a hole where that is possible. */
  clear(offset: bigint, length: number): Promise<void>;
  /** Resolves when what was written is durable. */
  flush(): Promise<void>;
}
