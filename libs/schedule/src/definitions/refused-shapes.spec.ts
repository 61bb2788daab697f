import { describe } from '@jest/globals';
import { documentText } from '../testing/definition-texts.ts';
import { refuses } from '../testing/refusals.ts';

describe('definitions of a shape that is none', () => {
  refuses([
    [
      '3.10 an unknown field',
      documentText('Source', 'driver: files\nfiles: {path: /a, exlude: [b]}'),
      'definition.unknown-field',
      '6:21',
      /spec\.files\.exlude: found the field "exlude".*Did you mean "exclude"/,
    ],
    [
      '3.10 an unknown kind',
      documentText('Scedule', 'a: 1'),
      'definition.shape',
      '2:7',
      /found "Scedule".*Did you mean "Schedule"/,
    ],
    [
      '3.10 an unknown driver',
      documentText('Source', 'driver: file\nfiles: {path: /a}'),
      'definition.shape',
      '5:11',
      /found "file", expected one of files, image, postgres/,
    ],
    [
      '3.10 no driver',
      documentText('Source', 'files: {path: /a}'),
      'definition.missing-field',
      '4:1',
      /spec\.driver: found nothing, expected one of files, image, postgres/,
    ],
    [
      '3.10 a missing field',
      documentText('Source', 'driver: files\nfiles: {exclude: [b]}'),
      'definition.missing-field',
      '6:3',
      /spec\.files\.path: found nothing, expected a path/,
    ],
    [
      '3.10 another version',
      documentText('Source', 'driver: files\nfiles: {path: /a}').replace('catena/v1', 'catena/v2'),
      'definition.shape',
      '1:13',
      /expected catena\/v1/,
    ],
    [
      '3.10 a name that is none',
      documentText('Source', 'driver: files\nfiles: {path: /a}').replace('{name: it}', '{name: It_is}'),
      'definition.shape',
      '3:18',
      /found "It_is", expected a name of lower-case/,
    ],
    [
      '3.10 a label that is no text',
      documentText('Source', 'driver: files\nfiles: {path: /a}').replace(
        'name: it',
        'name: it, labels: {a: 1}',
      ),
      'definition.shape',
      '3:34',
      /metadata\.labels\.a: found 1, expected a text/,
    ],
    [
      '12 two targets',
      documentText(
        'Subscription',
        'events: [run.failed]\nto: {command: [x], webhook: {url: "https://example.org"}}',
      ),
      'definition.shape',
      '6:7',
      /found webhook and command, expected exactly one/,
    ],
    [
      '12 no target',
      documentText('Subscription', 'events: [run.failed]\nto: {}'),
      'definition.shape',
      '6:7',
      /found none of them/,
    ],
    [
      '12 an unknown event',
      documentText('Subscription', 'events: [run.complete]\nto: {command: [x]}'),
      'definition.shape',
      '5:12',
      /Did you mean "run\.completed"/,
    ],
  ]);
});
