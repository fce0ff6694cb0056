import t from 'tap';
import { parseRedisUrl } from './client.js';

t.test('URLs of Redis', async (t) => {
  const plain = { user: undefined, password: undefined, tls: false, database: 0, master: undefined };
  const at = (host: string, port: number) => ({ host, port });
  t.strictSame(parseRedisUrl('redis://a'), { ...plain, kind: 'server', nodes: [at('a', 6379)] });
  t.strictSame(parseRedisUrl('rediss://me:p%40ss@a.b:7000/3'), {
    kind: 'server',
    nodes: [at('a.b', 7000)],
    user: 'me',
    password: 'p@ss',
    tls: true,
    database: 3,
    master: undefined,
  });
  t.match(parseRedisUrl('redis://:secret@[::1]:7000'), {
    nodes: [at('::1', 7000)],
    user: undefined,
    password: 'secret',
  });
  t.strictSame(parseRedisUrl('redis+sentinel://a,b:1,c:2/main'), {
    ...plain,
    kind: 'sentinel',
    nodes: [at('a', 26_379), at('b', 1), at('c', 2)],
    master: 'main',
  });
  t.match(parseRedisUrl('rediss+cluster://a:1,b:2'), {
    kind: 'cluster',
    tls: true,
    nodes: [at('a', 1), at('b', 2)],
  });
});

t.test('what is none', async (t) => {
  const none = [
    '',
    'redis://',
    'http://a',
    'redis://a,b',
    'redis://a/x',
    'redis://a:0',
    'redis://a:65536',
    'redis+sentinel://a',
    'redis+cluster://a/main',
    'redis://a b',
    'redis://a?x=1',
    'redis://a%',
    'redis://u:%@a',
  ];
  for (const url of none) t.equal(parseRedisUrl(url), undefined, url);
});
