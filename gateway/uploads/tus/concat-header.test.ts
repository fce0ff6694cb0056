import t from 'tap';
import { readConcat, SOURCES_MAX } from './concat-header.js';

const A = '0198c0de-0000-7000-8000-00000000000a';
const B = '0198c0de-0000-7000-8000-00000000000b';
const REFUSED = { code: 'TETHER_REQUEST_REFUSED', answer: { status: /^400 / } };

t.test('a part, or what is made of parts in their order', async (t) => {
  t.equal(readConcat(undefined), undefined);
  t.strictSame(readConcat('partial'), { kind: 'partial' });
  const urls = `https://files.example/eu/uploads/tus/${B} /uploads/tus/${A} /uploads/tus/${B} tus/${A} /uploads/tus/${A}?a=b`;
  const text = `final;${urls}`;
  t.strictSame(readConcat(text), { kind: 'final', text, sources: [B, A, B, A, A] });
  t.match(readConcat(`final; /uploads/tus/${A.toUpperCase()}`), { sources: [A] });
});

t.test('what it is not', async (t) => {
  const wrong = [
    '',
    'Partial',
    'final',
    'final;',
    'final; ',
    `final;${A}`,
    `final;/uploads/${A}`,
    `final;/uploads/tus/../${A}`,
    `final;/uploads/tus/${A}/`,
    `final;/uploads/tus/${A}  /uploads/tus/${B}`,
    `final;/uploads/tus/${A}\t`,
    `final;http://[/uploads/tus/${A}`,
    `final;/\u00F6/uploads/tus/${A}`,
    `final;${Array.from({ length: SOURCES_MAX + 1 }, () => `/uploads/tus/${A}`).join(' ')}`,
  ];
  for (const each of wrong) t.throws(() => readConcat(each), REFUSED, JSON.stringify(each));
});
