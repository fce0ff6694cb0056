/**
 * What was odd about the notifications of a batch: a status that moves no payment because it is none that we know, an amount
 * or a currency that cannot be read. They are handled like the others, so that nothing is lost, and without a word nobody
 * would know of a payment that stays where it is or has no amount.
 *
 * Bounded whatever the batch: a number for each sort, and the ids of a few messages. No value that was sent is in it.
 */
import { concernsPayment, type Incoming } from './decide.js';
import { isPaymentStatus } from './status.js';

export const MESSAGES_MAX = 5;

export interface Oddities {
  statusMissing: number;
  statusUnknown: number;
  amountUnreadable: number;
  currencyUnreadable: number;
  /** Ids of the first of them, as in `events`. */
  readonly messages: string[];
}

/** Undefined when there is nothing odd. */
export function odditiesOf(batch: readonly Incoming[]): Oddities | undefined {
  let found: Oddities | undefined;
  for (const { message, notification } of batch) {
    if (!concernsPayment(notification)) continue;
    const { reportedStatus, amountUnreadable, currencyUnreadable } = notification;
    const statusOdd = !isPaymentStatus(reportedStatus);
    if (!statusOdd && !amountUnreadable && !currencyUnreadable) continue;

    found ??= {
      statusMissing: 0,
      statusUnknown: 0,
      amountUnreadable: 0,
      currencyUnreadable: 0,
      messages: [],
    };
    if (reportedStatus === '') found.statusMissing++;
    else if (statusOdd) found.statusUnknown++;
    if (amountUnreadable) found.amountUnreadable++;
    if (currencyUnreadable) found.currencyUnreadable++;
    if (found.messages.length < MESSAGES_MAX) found.messages.push(message.id);
  }
  return found;
}
