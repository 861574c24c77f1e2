import {compose} from '../compose.ts';
import {exitCodes, orThrow, Refusal} from '../core/refusal.ts';
import {parseReference} from '../core/secrets/secret.ts';
import {decideDeploy, decideWindow} from '../core/run/decide.ts';
import {escapeControls, neutraliseLine} from '../core/text/escape-controls.ts';
import {wallTime} from '../core/text/window.ts';
import {deploy, findTarget} from '../engine/handover/deploy.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {mustFindSecret, projectOf, resolveSecret, type SecretEntry} from '../engine/grants/secrets.ts';
import {ask, askHidden, readLines} from '../terminal/ask.ts';
import {reasonOption, type Verb} from './verb.ts';

const collect = (value: string, earlier: string[]) => [...earlier, value];

export const verb: Verb = {
	define(command) {
		reasonOption(
			command
				.argument('<run>')
				.argument('<target>')
				.option('--outside-window', 'now, although the policy gives the target another time; needs --because')
				.option('--confirm <target>', "the target's name once more, in place of typing it")
				.option(
					'--credential <name=source>',
					'NAME=- reads it from stdin, one line each, in this order; NAME=fleet://project/NAME takes it from the vault',
					collect,
					[],
				),
		);
	},
	async run(io, [name, target], options) {
		const context = compose(askHidden(io.interactive));
		const run = findRun(context, name!);
		const order = {because: options['because'] as string, outside: Boolean(options['outsideWindow'])};
		if (order.outside && order.because.trim() === '') {
			throw new Refusal('a deploy outside of its window needs a reason', 'say why with --because "…"');
		}

		// A refusal is a line of the journal, too; nobody is asked for a credential before it.
		const refuseIf = async (refusal: Refusal | undefined) => {
			if (refusal) {
				await withJournal(context, run.id, async journal =>
					journal.append({type: 'gate.refused', gate: 'deploy', because: refusal.because}, context.actor),
				);
				throw refusal;
			}
		};

		await refuseIf(decideDeploy(run, context.actor, target!, target));

		const {command, credentials, window} = await findTarget(context, run, target!);
		await refuseIf(decideWindow(target!, window, wallTime(Date.now()), order.outside ? order.because : undefined));

		const piped: string[] = [];
		const named = new Map<string, SecretEntry>();
		for (const text of options['credential'] as string[]) {
			const match = /^([A-Za-z_]\w*)=(-|fleet:\/\/.+)$/.exec(text);
			if (!match || !credentials.includes(match[1]!)) {
				throw new Refusal(
					match
						? `${target} needs no credential ${match[1]}`
						: 'a credential is written NAME=-, and its value comes on stdin, or NAME=fleet://project/NAME',
					credentials.length === 0 ? `${target} needs none` : `it needs: ${credentials.join(', ')}`,
				);
			}

			if (match[2] === '-') {
				piped.push(match[1]!);
			} else {
				const reference = orThrow(parseReference(match[2]!));
				named.set(match[1]!, mustFindSecret(context, reference, projectOf(reference, run.project)));
			}
		}

		let confirmed: string | undefined = options['confirm'];
		if (confirmed === undefined && io.interactive) {
			io.err(`deploy ${run.merge!.commit.slice(0, 10)} to ${target}: ${neutraliseLine(command)}\n`);
			confirmed = await ask(`type the target's name to go on: `, false);
		}

		const values = new Map<string, string>();
		const unconfirmed = decideDeploy(run, context.actor, target!, confirmed);
		if (!unconfirmed) {
			const lines = piped.length === 0 ? [] : await readLines(piped.length);
			for (const [index, wanted] of piped.entries()) {
				values.set(wanted, lines[index] ?? '');
			}

			for (const [wanted, entry] of named) {
				values.set(wanted, (await resolveSecret(context, entry)).value);
			}

			for (const wanted of credentials) {
				if (!values.has(wanted) && io.interactive) {
					values.set(wanted, await ask(`${wanted} (not shown): `, true));
				}
			}
		}

		const outcome = await withJournal(context, run.id, journal =>
			deploy(context, journal, target!, {...order, confirmed}, values, text => io.out(escapeControls(text))),
		);
		io.out(`${target}: ${outcome}\n`);
		if (outcome === 'succeeded') {
			return exitCodes.ok;
		}

		return outcome === 'failed' ? exitCodes.gate : exitCodes.inconclusive;
	},
};
