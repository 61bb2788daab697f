import { describeMessages } from '../testing/messages-contract.ts';
import { MemoryMessages } from './memory-messages.ts';

describeMessages('MemoryMessages', async () => {
  const messages = new MemoryMessages();
  return { here: messages, there: messages };
});
