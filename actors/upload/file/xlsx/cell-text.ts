/** Numbers, dates and texts of cells, as the text that a csv of the same table would have. */

/** How a number format shows a number. */
export type NumberKind = 'number' | 'date' | 'date-time' | 'time';
export type Epoch = 1900 | 1904;

const DAY_MS = 86_400_000;
/** 9999-12-31 in the system of 1900. */
const SERIAL_MAX = 2_958_465;
/** What the system of 1900 takes for the 29th of February in a year that had none. */
const NO_DAY = 60;

/** `raw` as the cell has it. What is no number stays as it stands. */
export function numberText(raw: string, kind: NumberKind, epoch: Epoch): string {
  const value = raw.trim() === '' ? Number.NaN : Number(raw);
  if (!Number.isFinite(value)) return raw;
  return (kind === 'number' ? undefined : dateText(value, kind, epoch)) ?? plainNumber(raw, value);
}

/** At most 15 significant digits, as a spreadsheet shows them: 19.989999999999998 is 19.99. Never with an exponent. */
function plainNumber(raw: string, value: number): string {
  if (/^-?(?:0|[1-9]\d{0,15})$/.test(raw)) return raw;
  const rounded = Number(value.toPrecision(15));
  const text = String(rounded);
  if (!text.includes('e')) return text;
  if (Math.abs(rounded) > 1) return BigInt(rounded).toString();
  return rounded.toFixed(20).replace(/\.?0+$/, '') || '0';
}

function dateText(serial: number, kind: NumberKind, epoch: Epoch): string | undefined {
  if (serial < 0 || serial > SERIAL_MAX) return undefined;
  let day = Math.floor(serial);
  let seconds = Math.round((serial - day) * 86_400);
  if (seconds === 86_400) {
    seconds = 0;
    day++;
  }
  const time = new Date(seconds * 1_000).toISOString().slice(11, 19);
  if (kind === 'time') return day === 0 ? time : undefined;
  if (day === 0 && epoch === 1900) return undefined;
  const date = dayText(day, epoch);
  return kind === 'date-time' && seconds > 0 ? `${date}T${time}` : date;
}

function dayText(day: number, epoch: Epoch): string {
  if (epoch === 1900 && day === NO_DAY) return '1900-02-29';
  const start = epoch === 1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, day < NO_DAY ? 31 : 30);
  return new Date(start + day * DAY_MS).toISOString().slice(0, 10);
}

/** A date that is written as one (ISO 8601): without a time that says nothing. */
export function isoDateText(raw: string): string {
  return raw.replace(/T00:00(?::00(?:\.0+)?)?Z?$/, '');
}

/** Characters that XML cannot hold stand as `_x000D_`, by the standard. Not those that no text may have. */
export function decodeEscapes(text: string): string {
  if (!text.includes('_x')) return text;
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (whole, digits: string) => {
    const code = Number.parseInt(digits, 16);
    return code === 0 || (code >= 0xd800 && code < 0xe000) ? whole : String.fromCharCode(code);
  });
}

/** By the identifiers that every spreadsheet program knows, those of East Asian dates included. */
export function builtinKind(id: number): NumberKind {
  if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || (id >= 50 && id <= 54) || (id >= 57 && id <= 58))
    return 'date';
  if (id === 36) return 'date';
  if (id === 22) return 'date-time';
  if ((id >= 18 && id <= 21) || id === 45 || id === 47) return 'time';
  return 'number';
}

/** By the letters of a format such as `dd/mm/yyyy;@` or `#,##0.00 "USD"`. */
export function formatKind(code: string): NumberKind {
  const [shown = ''] = code
    .replace(/"[^"]*"|\\.|[_*]./g, '')
    // Hours beyond a day (`[h]`) are an amount of time; colours, conditions and languages say nothing.
    .replace(/\[(?:h+|m+|s+)\]/gi, '#')
    .replace(/\[[^\]]*\]/g, '')
    .toLowerCase()
    .split(';');
  if (/[#?]|general/.test(shown)) return 'number';
  const time = /[hs]/.test(shown);
  if (shown.includes('0') && !time) return 'number';
  if (/[yd]/.test(shown) || (shown.includes('m') && !time)) return time ? 'date-time' : 'date';
  return time ? 'time' : 'number';
}
