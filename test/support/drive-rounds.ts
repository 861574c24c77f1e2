import assert from 'node:assert/strict';
import {test, type TestContext} from 'node:test';
import {agents} from '../../source/agents/registry.ts';
import {createRun} from '../../source/engine/run/create.ts';
import {startSupervisor} from '../../source/engine/run/start-supervisor.ts';
import {findProject} from '../../source/engine/project/projects.ts';
import {isInstalled, openWorld} from './agents.ts';
import {agentValues} from './drive-agent.ts';
import {DrivenLogin} from './drive-login.ts';
import {checkProfile, keepProfile} from './drive-profile.ts';
import {until} from './fleet.ts';
import {ModelServer} from './model-server.ts';

/*
 * A real agent in the loop that closes by itself, with what the person keeps for it, and where it has one with a
 * subscription's login in place of a key.
 */

/** Has the person's profile, fails its checks twice, is told so in the same conversation, and passes the third time: nobody does anything. */
async function drive(t: TestContext, id: string): Promise<void> {
	const agent = agents.find(agent => agent.id === id)!;
	const login = agent.model!.login && new DrivenLogin(agent.model!.login);
	const model = await ModelServer.open(t, login ? given => login.tokens.takes(given) : agentValues[id]!, [
		'echo 1 > answer; ls -A "$HOME" | tr "\\n" " "',
		'echo 2 > answer',
		'echo 3 > answer',
	]);
	let isForgotten = false;
	model.round = prompts => {
		const round = prompts.split('it did not pass').length - 1;
		if (round === 1 && !isForgotten && login?.isRefreshed) {
			// The server takes the login's token no longer: the next request is refused, and fleet gets another.
			isForgotten = true;
			login.tokens.forget();
		}

		return round;
	};
	login?.serve(model);
	const {fleet, context} = await openWorld(t, model.port, (agent.model!.login ?? agent.model!).binding.hosts, {
		policy: 'verify: [sh check.sh]\n',
		files: {'check.sh': 'grep -qx 3 answer || { echo "answer is $(cat answer), wanted 3"; exit 1; }\n'},
		autoVerify: true,
	});
	keepProfile(fleet, id);
	if (login) {
		login.keep(fleet);
	} else {
		const added = fleet.run(['secret', 'add', agent.model!.secret, '--user'], {input: `${agentValues[id]!}\n`});
		assert.equal(added.code, 0, added.stderr);
	}

	const made = await createRun(context, {
		project: await findProject(context, undefined, fleet.project),
		agent: id,
		argv: [],
		prompt: 'Write the right number into the file answer.',
		name: 'rounds',
		allow: [`model:${id}`],
		because: 'the test',
	});
	await startSupervisor(context, made.id);
	await until(
		() =>
			['verified', 'verify-failed', 'inconclusive', 'captured', 'stopped', 'crashed'].includes(fleet.stage('rounds')),
		'all rounds are over',
		240_000,
	);
	const told = `${fleet.must('logs', 'rounds')}\n${fleet.must('journal', 'rounds')}\n${model.faults.join('; ')}`;
	const {stage, rounds, usage} = fleet.json('show', 'rounds');
	assert.equal(stage, 'verified', told);
	assert.deepEqual(
		rounds.map(({attempt, result}: {attempt: number; result: string}) => [attempt, result]),
		[
			[1, 'failed'],
			[2, 'failed'],
			[3, 'passed'],
		],
		told,
	);
	assert.ok(
		model.prompts.some(
			prompt =>
				prompt.includes('Write the right number') &&
				// Once for each time that it failed.
				prompt.split('it did not pass').length === 3 &&
				prompt.includes('answer is 1, wanted 3'),
		),
		`it was told in one conversation\n${model.prompts.join('\n=====\n')}\n${told}`,
	);
	checkProfile(model, id, told);
	const costs = rounds.map((round: {usage: {requests: number}}) => round.usage.requests) as number[];
	assert.ok(costs[0]! > 0 && costs[0]! < costs[1]! && costs[1]! < costs[2]! && costs[2] === usage.requests, told);
	assert.deepEqual(model.faults, [], told);
	login?.assertNowhere(fleet, model, told);
}

/** The loop that closes by itself with one agent, as a test. */
export function testRounds(id: string): void {
	const agent = agents.find(agent => agent.id === id)!;
	test(
		`${agent.title}: what fails its checks goes back to the same conversation, until it passes, with the person's profile`,
		{skip: !isInstalled(agent.program!) && !process.env['CI'] ? 'not installed: npm run agents:install' : false},
		async t => {
			await drive(t, id);
		},
	);
}
