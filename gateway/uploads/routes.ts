/**
 * The paths of uploads. Each of the files beside this one registers its own; a path of letters goes before one with a
 * parameter, which uWebSockets.js sees to.
 */
import type { TemplatedApp } from 'uWebSockets.js';
import { Exchange, readHead } from '../exchange.js';
import { problem } from '../problem.js';
import { registerComplete } from './complete.js';
import { registerDirect } from './direct.js';
import { registerErrorsCsv } from './errors-csv.js';
import { registerEvents } from './events.js';
import { registerFile } from './file.js';
import { registerList } from './list.js';
import type { UploadContext } from './parts.js';
import { registerPost } from './post.js';
import { registerRead } from './read.js';
import { registerRemove } from './remove.js';
import { registerTus } from './tus/routes.js';

/** What is not one of these has another method. */
const METHODS: readonly (readonly [path: string, allowed: string])[] = [
  ['/uploads', 'GET, HEAD, POST'],
  ['/uploads/:id', 'GET, HEAD, DELETE'],
  ['/uploads/:id/events', 'GET, HEAD'],
  ['/uploads/:id/file', 'GET, HEAD'],
  ['/uploads/:id/errors.csv', 'GET, HEAD'],
  ['/uploads/:id/complete', 'POST'],
];

export function registerUploadRoutes(app: TemplatedApp, context: UploadContext): void {
  registerPost(app, context);
  registerList(app, context);
  registerRead(app, context);
  registerEvents(app, context);
  registerFile(app, context);
  registerErrorsCsv(app, context);
  registerRemove(app, context);
  registerDirect(app, context);
  registerComplete(app, context);
  registerTus(app, context);
  for (const [path, allowed] of METHODS) {
    const answer = problem('method-not-allowed', `the method is one of ${allowed}`, [['Allow', allowed]]);
    app.any(path, (res, req) => new Exchange(res, readHead(req)).answer(answer));
  }
}
