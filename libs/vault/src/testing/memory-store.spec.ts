import { describeStore } from './store-contract.ts';
import { MemoryStore } from './memory-store.ts';

describeStore('memory, for tests,', () => {
  const store = new MemoryStore();
  return Promise.resolve({ store, second: store, remove: () => Promise.resolve() });
});
