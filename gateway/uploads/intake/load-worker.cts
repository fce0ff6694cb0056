/** What Piscina loads in an intake thread: the worker, by `import`; why not by itself, `runtime/worker/load-host.cts` says. */
module.exports = import('./worker.js').then((worker) => worker.default);
