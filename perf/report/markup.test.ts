import t from 'tap';
import { markup } from './markup.js';

t.test('what is filled in is escaped, unless it is markup', async (t) => {
  t.equal(markup`<b title="${'"\'&'}">${'<i>'}</b>`.text, '<b title="&quot;&#39;&amp;">&lt;i&gt;</b>');
  t.equal(markup`<b>${markup`<i>${'&'}</i>`}</b>`.text, '<b><i>&amp;</i></b>');
  t.equal(markup`${['<', markup`<br>`]}|${undefined}|`.text, '&lt;<br>||');
  t.equal(markup`${'a\0\u001b[31m\n'}`.text, 'a\ufffd\ufffd[31m\n');
});

t.test('coordinates', async (t) => {
  t.equal(markup`${1 / 3} ${-0.001} ${12}`.text, '0.33 0 12');
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) t.throws(() => markup`${value}`, RangeError);
});
