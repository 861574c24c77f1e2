import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Context} from '../../engine/context.ts';
import {advance, advanceAll, type Advance} from '../../engine/tasks/advance.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import type {Io} from '../../terminal/program.ts';

/** What a look at plans changed, told on stderr: a verb's own words go to stdout. */
function tell(io: Io, {plan, started, held}: Advance): void {
	for (const {task, run} of started) {
		io.err(`started ${run}: ${task === run ? '' : `${task} `}of the plan ${plan}\n`);
	}

	for (const {task, because, hint} of held) {
		const way = hint ?? `fleet plan release ${plan} ${task}, or fleet plan drop ${plan} ${task}`;
		io.err(`${task} of the plan ${plan} ${escapeLine(because)}\n${asTyped(`  hint: ${escapeLine(way)}\n`)}`);
	}
}

/** Starts what became free, of one plan or of all, and says so. */
export async function carryOn(context: Context, io: Io, plan?: string): Promise<void> {
	for (const found of plan === undefined ? await advanceAll(context) : [await advance(context, plan)]) {
		tell(io, found);
	}
}
