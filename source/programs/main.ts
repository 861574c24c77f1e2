import process from 'node:process';
import {Command, CommanderError} from 'commander';
import {checkOpenFiles, createIo, runProgram} from '../terminal/program.ts';
import {Refusal} from '../core/refusal.ts';
import {printable} from '../core/names.ts';
import {verbs} from '../commands/verbs.ts';

/* argv to a command. Everything after "--" is the agent's command line and is not read here. */

const version = '0.1.0';

function help(): string {
	const width = Math.max(...verbs.map(verb => `${verb.name} ${verb.arguments}`.length));
	const lines = verbs.map(verb => `  ${`${verb.name} ${verb.arguments}`.padEnd(width)}  ${verb.summary}`);
	return `Usage: fleet [VERB] [ARGUMENTS]

Runs a fleet of AI coding agents under least privilege. Without a verb: the screen.

Verbs
${lines.join('\n')}

Options
  --help     this text, or a verb's own: fleet VERB --help
  --version  the version

Scopes
  repo, build                            on
  network:HOST[:PORT], files:PATH        off until granted, with a reason
  model:AGENT, secret:OWNER/NAME         off until granted; by pointer, the value stays outside
  deploy:TARGET                          never a run's: a person deploys

Exit codes: 0 done, 1 internal error, 2 refused input, 3 a check or gate said no, 4 inconclusive
`;
}

async function main(argv: string[]): Promise<number> {
	const split = argv.indexOf('--');
	const own = split === -1 ? argv : argv.slice(0, split);
	const rest = split === -1 ? undefined : argv.slice(split + 1);
	const [name = ''] = own;
	if (name === '--help' || name === '-h' || name === 'help') {
		process.stdout.write(help());
		return 0;
	}

	if (name === '--version' || name === '-v') {
		process.stdout.write(`${version}\n`);
		return 0;
	}

	const verb = verbs.find(verb => verb.name === (name === '' ? 'screen' : name));
	if (!verb) {
		const near = verbs.find(verb => verb.name.startsWith(name.slice(0, 3)) && name.length > 1);
		throw new Refusal(
			`"${printable(name)}" is not a verb`,
			near ? `did you mean fleet ${near.name}? fleet --help lists them` : 'fleet --help lists them',
		);
	}

	checkOpenFiles(verb.name);
	const {define, run} = await verb.load();
	const command = new Command(`fleet ${verb.name}`)
		.usage(verb.arguments)
		.description(verb.summary)
		.exitOverride()
		.configureOutput({writeErr() {}})
		.allowExcessArguments(false);
	define(command);
	command.parse(name === '' ? [] : own.slice(1), {from: 'user'});
	return (await run(createIo(rest), command.args, command.opts())) ?? 0;
}

await runProgram(() =>
	main(process.argv.slice(2)).catch((error: unknown) => {
		if (!(error instanceof CommanderError)) {
			throw error;
		}

		if (error.exitCode === 0) {
			return 0;
		}

		throw new Refusal(error.message.replace(/^error: /, '').split('\n')[0]!, `fleet ${process.argv[2] ?? ''} --help`);
	}),
);
