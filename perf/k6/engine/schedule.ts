/** When the iterations of an arrival rate are due: milliseconds after the scenario's start, in order. */
export interface RateStage {
  /** Iterations a millisecond at its end. */
  readonly targetPerMs: number;
  readonly durationMs: number;
}

/** The first at once, and then one each 1/rate, while `durationMs` is not over. */
export function* constantArrivals(ratePerMs: number, durationMs: number): Generator<number, void, undefined> {
  for (let n = 0; n / ratePerMs < durationMs; n++) yield n / ratePerMs;
}

/**
 * The rate goes in a straight line from stage to stage. Iteration n, from 1, is due when the area under the rate has come to n. In a stage of length
 * d from rate a to b, t after its start, that area is a*t + (b-a)*t^2/(2d): solved for t in the form that neither divides by b-a nor
 * subtracts two numbers that are nearly the same.
 */
export function* rampingArrivals(
  startPerMs: number,
  stages: readonly RateStage[],
): Generator<number, void, undefined> {
  let rate = startPerMs;
  let stageStartMs = 0;
  let areaBefore = 0;
  let n = 1;
  for (const { targetPerMs, durationMs } of stages) {
    const area = (durationMs * (rate + targetPerMs)) / 2;
    // Rounding must not lose the last one of a stage whose area is a whole number.
    for (; n <= areaBefore + area + 1e-9; n++) {
      const left = n - areaBefore;
      const root = Math.sqrt(Math.max(0, rate * rate + (2 * left * (targetPerMs - rate)) / durationMs));
      yield stageStartMs + Math.min(durationMs, (2 * left) / (rate + root));
    }
    areaBefore += area;
    stageStartMs += durationMs;
    rate = targetPerMs;
  }
}
