/** Numbers for people who look at a node. */
const count = (value: number): string => Math.round(value).toLocaleString('en');
/** Of 1. */
const share = (value: number): string => `${Math.round(value * 100)} %`;

function ms(value: number): string {
  if (value >= 1_000) return `${(value / 1_000).toFixed(value >= 10_000 ? 0 : 1)} s`;
  return `${value >= 10 ? Math.round(value) : value.toFixed(1)} ms`;
}

/** A rate. What is below ten has a digit more. */
const perSecond = (value: number): string => `${value < 10 ? Number(value.toFixed(1)) : count(value)}/s`;

export { count, ms, perSecond, share };
