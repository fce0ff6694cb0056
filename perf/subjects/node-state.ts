/** What the node under measurement is told over IPC to do, and how that reaches its threads. */

export const NODE_STATES = ['none', 'measured', 'traced'] as const;
/** `none`: its threads measure nothing. `measured`: they do. `traced`: and a tracing provider is registered in each. */
export type NodeState = (typeof NODE_STATES)[number];

export const TRACING_CHANNEL = 'tether-bench-tracing';
