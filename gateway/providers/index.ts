/** The providers, for whoever reads an endpoint's settings. */
export { countProblem, type ProviderKind } from './kind.js';
export { PROVIDERS } from './registry.js';
