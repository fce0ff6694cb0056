/** When a message was signed, as senders write it. */

export type TimestampUnit = 'seconds' | 'milliseconds' | 'iso';

const SECONDS = /^[0-9]{1,12}$/;
const MILLISECONDS = /^[0-9]{1,15}$/;
const ISO = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,16}(?:Z|[+-][0-9]{2}:?[0-9]{2})$/;

/** Milliseconds since the epoch; undefined when it is none. */
export function millisecondsOf(text: string, unit: TimestampUnit): number | undefined {
  switch (unit) {
    case 'seconds':
      return SECONDS.test(text) ? Number(text) * 1000 : undefined;
    case 'milliseconds':
      return MILLISECONDS.test(text) ? Number(text) : undefined;
    case 'iso': {
      const ms = ISO.test(text) ? Date.parse(text) : Number.NaN;
      return Number.isNaN(ms) ? undefined : ms;
    }
  }
}
