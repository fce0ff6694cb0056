/** Checks of the configuration itself: what `tether start` would refuse or warn of, and what is on for looking for faults. */
import { type Check, failed, ok, skipped, warning } from './check.js';

const configuration: Check = {
  id: 'config',
  title: 'The configuration is one that a node starts with',
  run({ problems, warnings, mode }) {
    if (problems.length > 0) {
      return failed(
        problems.join('\n'),
        `mend each of them: \`tether ${mode}\` does not start before (docs/reference/configuration.md)`,
      );
    }
    if (warnings.length > 0) {
      return warning(warnings.join('\n'), 'a node starts with it; make sure that it is meant');
    }
    return ok(`\`tether ${mode}\` takes it`);
  },
};

const logLevel: Check = {
  id: 'log-level',
  title: 'The log is not that of a search for faults',
  run({ settings: { logLevel: level } }) {
    if (level === 'debug' || level === 'trace') {
      return warning(
        `TETHER_LOG_LEVEL is ${level}: many lines for each message, and the stacks of errors that are expected`,
        'set TETHER_LOG_LEVEL=info',
      );
    }
    if (level === 'silent' || level === 'fatal') {
      return warning(
        `TETHER_LOG_LEVEL is ${level}: nobody will be told of what goes wrong`,
        'set TETHER_LOG_LEVEL=info',
      );
    }
    return ok(`TETHER_LOG_LEVEL is ${level}`);
  },
};

/** The inspector runs whatever code it is sent. */
const INSPECT = /(?:^|\s)--inspect(?:-brk|-wait)?(?:=(\S+))?(?=\s|$)/;

const debugging: Check = {
  id: 'debugger',
  title: 'No debugger is open',
  run({ env }) {
    const options = env.NODE_OPTIONS ?? '';
    const found = INSPECT.exec(options);
    if (found !== null) {
      return failed(
        `NODE_OPTIONS opens Node's inspector${found[1] === undefined ? '' : ` at ${found[1]}`}: whoever reaches it runs code in the node`,
        'take --inspect out of NODE_OPTIONS',
      );
    }
    if (/--unhandled-rejections=(none|warn)/.test(options)) {
      return failed(
        'NODE_OPTIONS lets Node go on after a rejection that nobody handles',
        'take --unhandled-rejections out of NODE_OPTIONS: a node must end and be started again',
      );
    }
    if ((env.NODE_TLS_REJECT_UNAUTHORIZED ?? '') === '0') {
      return failed(
        "NODE_TLS_REJECT_UNAUTHORIZED is 0: nobody's certificate is checked",
        'take it out; NODE_EXTRA_CA_CERTS names an authority of your own',
      );
    }
    return options === '' ? skipped('NODE_OPTIONS is not set') : ok('NODE_OPTIONS opens none');
  },
};

export { configuration, debugging, logLevel };
