export { plausibleHistory } from './history/plausible-history.ts';
export { SeededRandom } from './history/seeded-random.ts';
export { HistoryLog } from './history-log.ts';
