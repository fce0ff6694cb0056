/** The limit: a uWebSockets.js handler that reads the body and answers. Nothing is kept. */

import uWS from 'uWebSockets.js';
import { endWithParent } from '../harness/end-with-parent.js';

const app = uWS.App();
app.post('/*', (res) => {
  res.onAborted(() => {});
  res.onData((_chunk, isLast) => {
    if (isLast) res.end('OK');
  });
});
app.listen('127.0.0.1', 0, (socket) => {
  process.send?.({ port: uWS.us_socket_local_port(socket) });
});
endWithParent();
process.on('SIGTERM', () => process.exit(0));
