import { describe, expect, it } from '@jest/globals';
import { full, historyText, log, lsn, minute } from '../testing/index.ts';
import { planHistory } from './answer.ts';
import { restoreStatements } from './restore-statements.ts';

const named = { database_name: JSON.stringify("It's [x]"), position: '2' };
const rows = [
  full('f1', 10, 100, 110, { ...named, media: JSON.stringify(["C:\\b'1.bak", 'https://store/b2.bak']) }),
  log('l1', 20, 100, 120, named),
];

describe('the statements of a plan, sqlserver.md section 3 step 8', () => {
  it('leave the database restoring until the last, and stop on the last log', () => {
    const [plan] = planHistory(historyText(rows), { at: minute(15) }).plans;
    expect(plan && restoreStatements(plan)).toEqual([
      "RESTORE DATABASE [It's [x]]] FROM DISK = N'C:\\b''1.bak', URL = N'https://store/b2.bak' WITH FILE = 2, NORECOVERY;",
      `RESTORE LOG [It's [x]]] FROM DISK = N'l1.bak' WITH FILE = 2, STOPAT = N'${minute(15)}', NORECOVERY;`,
      "RESTORE DATABASE [It's [x]]] WITH RECOVERY;",
    ]);
  });

  it('stop at a position by mark', () => {
    const [plan] = planHistory(historyText(rows), { position: lsn(115) }).plans;
    expect(plan && restoreStatements(plan)[1]).toContain(`STOPATMARK = N'lsn:${lsn(115)}'`);
  });

  it('are none for a plan without steps', () => {
    const [plan] = planHistory(historyText(rows), { at: minute(1) }).plans;
    expect(plan && restoreStatements(plan)).toEqual([]);
  });
});
