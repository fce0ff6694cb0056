import t from 'tap';
import { numberArray, textArray } from './arrays.js';

t.test('text', async (t) => {
  t.equal(textArray([]), '{}');
  t.equal(textArray(['a', '', undefined, 'NULL', 'a,b', '{}']), '{"a","",NULL,"NULL","a,b","{}"}');
  t.equal(textArray(['"', '\\', 'a"b\\c']), '{"\\"","\\\\","a\\"b\\\\c"}');
});

t.test('numbers', async (t) => {
  t.equal(numberArray([]), '{}');
  t.equal(numberArray([0, -1, undefined, Number.MAX_SAFE_INTEGER]), '{0,-1,NULL,9007199254740991}');
});
