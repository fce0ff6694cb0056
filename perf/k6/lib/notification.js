// @ts-check
/**
 * EMP notifications as its gateway sends them: four approved `sdd_sale`, and then the chargeback of the first of these four. Equal arguments give equal
 * notifications, and different ones never share a payment, so that no notification is a duplicate.
 */
import crypto from 'k6/crypto';
import { fictitiousIban } from './iban.js';

const TERMINAL = '394f2ebc3646d3c017fa1e1cbc4a1e20';
/** Each fifth one: 20 %. */
const CYCLE = 5;
/** Reasons that put no debtor on the blacklist. */
const REASONS = [
  ['MD06', 'Refund+request+by+end+customer'],
  ['AM04', 'Insufficient+Funds'],
];

/**
 * @typedef {object} Notification
 * @property {'sdd_sale' | 'chargeback'} kind
 * @property {string} uniqueId what is signed, and what the answer must echo
 * @property {string} body
 */

/**
 * @param {string} run tells runs, and scenarios of a run, apart
 * @param {number} index from 0
 * @param {string} password
 * @returns {Notification}
 */
export function notificationOf(run, index, password) {
  const isChargeback = index % CYCLE === CYCLE - 1;
  const sale = isChargeback ? index - CYCLE + 1 : index;
  const uniqueId = crypto.md5(`${run}:${sale}`, 'hex');
  const fields = [
    `transaction_id=k6_${sale}_${uniqueId.slice(0, 4)}`,
    `unique_id=${uniqueId}`,
    'transaction_type=sdd_sale',
    `terminal_token=${TERMINAL}`,
    `status=${isChargeback ? 'chargebacked' : 'approved'}`,
    `amount=${100 + ((sale * 7919) % 20000)}`,
    'currency=EUR',
    `iban=${fictitiousIban((sale * 104729) % 1000000000)}`,
  ];
  if (isChargeback) {
    const [code, description] = REASONS[Math.floor(index / CYCLE) % REASONS.length] || [];
    fields.push('event=chargeback', `rc_code=${code}`, `rc_description=${description}`);
  }
  fields.push(`signature=${signature(uniqueId, password, sale)}`);
  return { kind: isChargeback ? 'chargeback' : 'sdd_sale', uniqueId, body: fields.join('&') };
}

/**
 * The digest of the id with the password behind it. Which algorithm it is, is told by its length; SHA-1 is what EMP uses most.
 * @param {string} uniqueId
 * @param {string} password
 * @param {number} sale
 */
function signature(uniqueId, password, sale) {
  const signed = uniqueId + password;
  if (sale % 10 === 8) return crypto.sha256(signed, 'hex');
  if (sale % 10 === 9) return crypto.sha512(signed, 'hex');
  return crypto.sha1(signed, 'hex');
}
