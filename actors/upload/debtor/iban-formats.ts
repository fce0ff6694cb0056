/**
 * What an IBAN of each SEPA country looks like.
 *
 * The structures are those of the ISO 13616 registry; the countries those of the European Payments Council's list of SEPA scheme
 * countries (EPC409-09): 41 since Albania, Montenegro (2024), Moldova, North Macedonia and Serbia (2025) joined the European Economic Area,
 * Switzerland, the United Kingdom, Andorra, Monaco, San Marino and Vatican City. Gibraltar is listed with a code of its own. Territories
 * that are in SEPA under another's code (Jersey, La Réunion, Åland) have its IBANs. Not in SEPA, though they have IBANs: Kosovo,
 * Bosnia and Herzegovina, Ukraine, Türkiye, Greenland, the Faroe Islands and all others.
 */

/** Behind country and check digits, as the registry writes it without `!`: n is a digit, a a letter, c either. */
const STRUCTURES: Readonly<Record<string, string>> = {
  AD: '8n12c',
  AL: '8n16c',
  AT: '16n',
  BE: '12n',
  BG: '4a6n8c',
  CH: '5n12c',
  CY: '8n16c',
  CZ: '20n',
  DE: '18n',
  DK: '14n',
  EE: '16n',
  ES: '20n',
  FI: '14n',
  FR: '10n11c2n',
  GB: '4a14n',
  GI: '4a15c',
  GR: '7n16c',
  HR: '17n',
  HU: '24n',
  IE: '4a14n',
  IS: '22n',
  IT: '1a10n12c',
  LI: '5n12c',
  LT: '16n',
  LU: '3n13c',
  LV: '4a13c',
  MC: '10n11c2n',
  MD: '20c',
  ME: '18n',
  MK: '3n10c2n',
  MT: '4a5n18c',
  NL: '4a10n',
  NO: '11n',
  PL: '24n',
  PT: '21n',
  RO: '4a16c',
  RS: '18n',
  SE: '20n',
  SI: '15n',
  SK: '20n',
  SM: '1a10n12c',
  VA: '18n',
};

/** Sorted. */
export const SEPA_COUNTRIES: readonly string[] = Object.keys(STRUCTURES);

/** Of a country's whole IBAN, one letter for each character: `n`, `a` or `c`; its length is the IBAN's. */
const SHAPES: readonly (string | undefined)[] = (() => {
  const shapes = new Array<string | undefined>(26 * 26).fill(undefined);
  for (const [country, structure] of Object.entries(STRUCTURES)) {
    shapes[indexOf(country.charCodeAt(0), country.charCodeAt(1))] = [
      ...structure.matchAll(/(\d+)([nac])/g),
    ].reduce((shape, [, count, kind = '']) => shape + kind.repeat(Number(count)), 'aann');
  }
  return shapes;
})();

/** By the codes of a country's two capital letters. */
export function ibanShape(first: number, second: number): string | undefined {
  return SHAPES[indexOf(first, second)];
}

function indexOf(first: number, second: number): number {
  return (first - 0x41) * 26 + (second - 0x41);
}
