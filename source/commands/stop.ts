import {compose} from '../compose.ts';
import {exitCodes, Refusal} from '../core/refusal.ts';
import {hasWorker} from '../core/run/stages.ts';
import {Lock} from '../host/lock.ts';
import {answerTimeMs, connectOrRefuse, inTime} from '../engine/owner.ts';
import {findRun, killSupervisor} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {define, json, reason, required} from './verb.ts';

/** How long a supervisor may take to end its run once it has answered. */
const endMs = 120_000;

export const verb = define({
	summary: 'end the agent and everything it started',
	arguments: {run: required('RUN')},
	options: {because: reason(), json},
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		const connection = await connectOrRefuse(context, run);
		const gone = new Promise<void>(resolve => {
			connection.onEnd = () => resolve();
		});
		const asked = connection.request({type: 'stop', because: options.because});
		const killed = !((await inTime(asked, answerTimeMs)) && (await inTime(gone, endMs))) && killSupervisor(run);
		asked.catch(() => {});
		connection.close();
		// The journal is closed last; whoever types the next verb should not find it held.
		const {lock} = context.paths.run(run.id);
		for (let tries = 0; tries < 1200 && Lock.isHeld(lock); tries++) {
			await new Promise(resolve => {
				setTimeout(resolve, 25);
			});
		}

		const {stage} = findRun(context, run.id);
		if (hasWorker(stage)) {
			throw new Refusal(
				`${run.id} was told to stop, and is ${stage} still`,
				`fleet show ${run.id}`,
				exitCodes.inconclusive,
			);
		}

		const how = killed ? `${run.id} was ended with its supervisor, which did not answer` : `${run.id} stopped`;
		const text = `${how}; its work is kept on ${run.branch} and in its worktree\n`;
		sayRun(io, context, {run: run.id, json: options.json, text});
	},
});
