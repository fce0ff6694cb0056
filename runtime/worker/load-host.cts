/**
 * What Piscina loads in an actor's thread: the host, by `import`. Of an ES module Piscina tries `require` first; Node 20 then links all of it in one
 * call, and aborts the process when the thread is ended within ("v8::Module::IsGraphAsync must be used on an instantiated module").
 */
module.exports = import('./host.js').then((host) => host.default);
