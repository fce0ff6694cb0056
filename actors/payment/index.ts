/** What others need of the payment actor: its definition and the shape of its settings. */
export { BATCH_MAX, default as payment } from './actor.js';
export type { EventStatus, HistoryEntry } from './decide.js';
export { fillPaymentSettings, type PaymentSettings } from './settings.js';
export { isPaymentStatus, type PaymentStatus } from './status.js';
