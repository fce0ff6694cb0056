/** A check of the certificate of a node that ends TLS itself: how long it holds. What is wrong with it the check of the configuration tells. */
import { lookAtTls, TLS_DAYS_MIN } from '../tls-files.js';
import { type Check, failed, ok, skipped, warning } from './check.js';

const certificate: Check = {
  id: 'tls-certificate',
  title: 'The certificate of the node holds for long enough',
  async run({ settings: { tls } }) {
    if (tls === undefined) return skipped('TETHER_TLS_CERT_FILE is not set: a balancer ends TLS');
    const { days, names, problems } = await lookAtTls(tls, Date.now());
    const found = `${names ?? tls.certFile}, for ${days ?? 0} days more`;
    if (problems.length > 0)
      return failed(problems.join('\n'), 'mend the files: a node does not start with them');
    return (days ?? 0) < TLS_DAYS_MIN
      ? warning(found, 'renew it, have it renewed by a program, and restart the nodes one after the other')
      : ok(found);
  },
};

export { certificate };
