/**
 * Loaded before all else, in each thread: an OpenTelemetry provider that records what is sampled already, as in production. It is registered
 * while the benchmark says so.
 */
import { BroadcastChannel } from 'node:worker_threads';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { registerProvider, unregisterProvider } from '../../runtime/testing/spans.js';
import { TRACING_CHANNEL } from './node-state.js';

const channel = new BroadcastChannel(TRACING_CHANNEL);
channel.unref();
let isRegistered = false;
channel.onmessage = (event) => {
  const wanted = (event as { readonly data: unknown }).data === true;
  if (wanted === isRegistered) return;
  isRegistered = wanted;
  if (wanted) registerProvider(new InMemorySpanExporter(), false);
  else unregisterProvider();
};
