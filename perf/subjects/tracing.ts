/** Loaded before all else, in each thread: registers an OpenTelemetry provider that records what is sampled already, as in production. */
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { registerProvider } from '../../runtime/testing/spans.js';

registerProvider(new InMemorySpanExporter(), false);
