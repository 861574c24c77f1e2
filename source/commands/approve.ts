import {compose} from '../compose.ts';
import {viewedText} from '../core/run/statement.ts';
import {approve} from '../engine/handover/approve.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {wantedOf} from '../engine/handover/signature.ts';
import {ask} from '../terminal/ask.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(
			command
				.argument('<run>')
				.option('--confirm <word>', 'the word that the policy asks for, in place of typing it')
				.option(
					'--key <file>',
					"the SSH key to sign with, where the policy wants that; git's user.signingKey by default",
				),
		);
	},
	async run(io, [name], options) {
		const context = compose();
		const {id} = findRun(context, name!);
		await withJournal(context, id, async journal => {
			let confirmed = options['confirm'] as string | undefined;
			const {word} = await wantedOf(context, journal.run);
			if (word !== undefined && confirmed === undefined && io.interactive) {
				confirmed = await ask(`type ${word} to approve ${id}: `, false);
			}

			await approve(context, journal, {
				because: options['because'] as string,
				confirmed,
				key: options['key'] as string | undefined,
			});
			const {head, base, viewed, signed} = journal.run.approval!;
			io.out(
				`approved ${id} at ${head.slice(0, 10)} onto ${base.slice(0, 10)}` +
					`${viewed ? `, ${viewedText(viewed)}` : ''}${signed ? `, signed by ${signed.signer}` : ''}\n`,
			);
		});
	},
};
