import {compose} from '../compose.ts';
import {exitCodes, Refusal} from '../core/refusal.ts';
import {escapeControls, escapeLine} from '../core/text/escape-controls.ts';
import {verifyHint} from '../core/run/verdict.ts';
import {findRun, readRun, withJournal} from '../engine/runs.ts';
import {waiveSuspects} from '../engine/handover/suspects.ts';
import {verify} from '../engine/handover/verify.ts';
import {goOnUnread} from '../terminal/program.ts';
import {define, flag, json, reason, required, text} from './verb.ts';

export const verb = define({
	summary: "take a snapshot of the work and run the policy's commands on the merged tree",
	arguments: {run: required('RUN')},
	options: {
		waiveSecrets: flag('dismiss the findings of the last time: they are not secrets; needs --because'),
		setupSecrets: flag("let setup read with its secrets, although what it runs is the agent's"),
		because: reason(),
		key: text('FILE', "with --waive-secrets: the SSH key to sign with; git's user.signingKey by default"),
		json,
	},
	usage: 'RUN [--waive-secrets --because TEXT [--key FILE]] [--setup-secrets] [--json]',
	async run(io, {run: name}, options) {
		if (options.key !== undefined && !options.waiveSecrets) {
			throw new Refusal('--key is for --waive-secrets alone: a verification is not signed', `fleet verify ${name}`);
		}

		const context = compose();
		const {id} = findRun(context, name);
		if (options.waiveSecrets) {
			await withJournal(context, id, async journal => waiveSuspects(context, journal, options));
		}

		// What a gate says is its exit code, whoever reads along.
		goOnUnread();
		const passed = await withJournal(context, id, journal =>
			verify(context, journal, {
				allowsSecrets: options.setupSecrets,
				onOutput(text) {
					if (!options.json) {
						io.out(escapeControls(text));
					}
				},
			}),
		);
		const run = readRun(context.paths.run(id))!;
		const verification = run.verification!;
		const word = {passed: 'verified', failed: 'not verified', inconclusive: 'inconclusive'}[verification.result];
		const because = `${word}: ${escapeLine(verification.because)}`;
		const hint = passed ? undefined : verifyHint(run, verification.doubt);
		io.report({outcome: {because, ...(hint === undefined ? {} : {hint})}});
		if (options.json) {
			io.json(verification);
		} else {
			io.out(`${because}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`);
		}

		if (passed) {
			return exitCodes.ok;
		}

		return verification.result === 'inconclusive' ? exitCodes.inconclusive : exitCodes.gate;
	},
});
