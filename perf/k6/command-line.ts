/** The command line of `npm run k6`: what it knows itself, and what k6 would have to know. */
export class CommandLineError extends Error {}

export interface CommandLine {
  readonly script: string | undefined;
  /** Of `-e` and `--duration`. */
  readonly env: Readonly<Record<string, string>>;
  readonly isHelp: boolean;
  readonly isQuiet: boolean;
  /** For k6, as they came. */
  readonly rest: readonly string[];
}

const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s;

/**
 * @param takesAll whether options that are unknown here go to k6: then they stand behind the script, so that a value is not taken for it
 * @throws CommandLineError that names what is wrong
 */
export function parseCommandLine(args: readonly string[], takesAll: boolean): CommandLine {
  const env: Record<string, string> = {};
  const rest: string[] = [];
  let script: string | undefined;
  let isHelp = false;
  let isQuiet = false;
  const left = args.values();
  for (const arg of left) {
    const [flag = '', inline] = /^(--[\w-]+)=(.*)$/s.exec(arg)?.slice(1) ?? [arg];
    const value = (): string => {
      const given = inline ?? left.next().value;
      if (given === undefined) throw new CommandLineError(`${flag} needs a value`);
      return given;
    };
    if (flag === '-h' || flag === '--help') isHelp = true;
    else if (flag === '-q' || flag === '--quiet') {
      isQuiet = true;
      rest.push('--quiet');
    } else if (flag === '-d' || flag === '--duration') env.DURATION = value();
    else if (flag === '-e' || flag === '--env') {
      const text = value();
      const [, name, content = ''] = ASSIGNMENT.exec(text) ?? [];
      if (name === undefined) throw new CommandLineError(`${flag} ${text} is not of the form NAME=VALUE`);
      env[name] = content;
    } else if (flag === '-u' || flag === '--vus')
      throw new CommandLineError(
        `${flag} would replace the script's scenarios: its settings are given with -e, such as -e RATE=200`,
      );
    else if (script === undefined && !flag.startsWith('-')) script = arg;
    else if (takesAll && script !== undefined) rest.push(arg);
    else if (takesAll) throw new CommandLineError(`${arg}: options for k6 stand behind the script`);
    else throw new CommandLineError(`${arg} is not known under Node; the real k6 may know it`);
  }
  return { script: isHelp ? undefined : script, env, isHelp, isQuiet, rest };
}
