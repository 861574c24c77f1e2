import {compose} from '../compose.ts';
import {printable} from '../core/names.ts';
import {changesText} from '../core/profile.ts';
import {Refusal} from '../core/refusal.ts';
import {settingsText} from '../core/profile-settings.ts';
import type {Agent} from '../core/seams.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import type {Context} from '../engine/context.ts';
import {approveProfile, forgetProfile, stateOf, type ProfileState} from '../engine/profile/approved.ts';
import {readProfile, type Profile} from '../engine/profile/read.ts';
import {asTyped} from '../terminal/as-typed.ts';
import type {Io} from '../terminal/program.ts';
import {fileLines, leftLines, stateWords} from './profile/lines.ts';
import {define, flag, json, optional} from './verb.ts';

type Read = {readonly agent: Agent; readonly profile: Profile | undefined; readonly state: ProfileState};

async function read(context: Context, agent: Agent): Promise<Read> {
	const profile = await readProfile(context, agent);
	return {agent, profile, state: stateOf(context, agent.id, profile)};
}

/** An element of `fleet profile --json`. */
function documentOf({agent, profile, state}: Read) {
	return {
		agent: agent.id,
		title: agent.title,
		state: state.state,
		digest: state.state === 'none' ? null : profile!.digest,
		files: (profile?.files ?? []).map(({path, kind, size, sha256, executable, real}) => {
			return {path, kind, size, sha256, executable, real: real ?? null};
		}),
		settings: profile?.settings ?? {},
		left: (profile?.left ?? []).map(({path, because, expected = false}) => ({path, because, expected})),
		changes: state.state === 'changed' ? state.changes : null,
	};
}

function withProfiles(context: Context): readonly Agent[] {
	return context.agents.filter(({profile}) => profile);
}

function findAgent(context: Context, name: string): Agent {
	const agent = withProfiles(context).find(({id}) => id === name);
	if (!agent) {
		const names = withProfiles(context).map(({id}) => id);
		throw new Refusal(`there is no profile of "${printable(name)}": ${names.join(', ')}`, 'fleet profile');
	}

	return agent;
}

/** One row for each agent. An agent whose profile cannot be read does not hide the others. */
async function list(context: Context, io: Io, asJson: boolean): Promise<void> {
	const found = await Promise.all(withProfiles(context).map(agent => read(context, agent)));
	if (asJson) {
		io.json(found.map(one => documentOf(one)));
		return;
	}

	const width = Math.max(...found.map(({agent}) => agent.id.length));
	for (const {agent, profile, state} of found) {
		const count = profile?.files.length ?? 0;
		const files = `${count} ${count === 1 ? 'file' : 'files'}`;
		const changes = state.state === 'changed' ? ` (${changesText(state.changes)})` : '';
		const hint =
			state.state === 'new' || state.state === 'changed' ? asTyped(`  fleet profile ${agent.id} --approve`) : '';
		io.out(
			`${agent.id.padEnd(width)}  ${stateWords[state.state]}${changes}${state.state === 'none' ? '' : `, ${files}`}${hint}\n`,
		);
	}
}

/** @param before what it was, where the lines are to say what changed */
function show(io: Io, {agent, profile, state}: Read, before: ProfileState = state): void {
	const digest = state.state === 'none' ? '' : `, digest ${profile!.digest.slice(0, 10)}`;
	const changes = before.state === 'changed' ? ` (${changesText(before.changes)})` : '';
	io.out(`${agent.title}: ${stateWords[state.state]}${changes}${digest}\n`);
	if (!profile) {
		return;
	}

	io.out(fileLines(profile, before));
	if (Object.keys(profile.settings).length > 0) {
		io.out(`  settings that go in: ${escapeLine(settingsText(profile.settings))}\n`);
	}

	io.out(leftLines(profile));
}

export const verb = define({
	summary: 'your own agent in its runs: instructions, skills, commands, settings; what goes in once you approved it',
	arguments: {agent: optional('[AGENT]', 'one agent: its files, their digests, what is left out and why')},
	options: {
		approve: flag('say yes to exactly what is there now; asked for again when one file changes'),
		forget: flag('take that back: runs start without it, and the next start of those that had it takes it out'),
		json,
	},
	brief: ['approve', 'forget', 'json'],
	async run(io, {agent: name}, options) {
		const context = compose();
		if (options.approve && options.forget) {
			throw new Refusal('--approve and --forget say the opposite', 'leave one of them out');
		}

		if (name === undefined) {
			if (options.approve || options.forget) {
				throw new Refusal('whose profile is it?', 'fleet profile lists them; name one');
			}

			await list(context, io, options.json);
			return;
		}

		const agent = findAgent(context, name);
		const before = await read(context, agent);
		if (options.approve) {
			if (before.state.state === 'none') {
				throw new Refusal(`there is nothing of ${agent.title} to bring into a run`, `fleet profile ${agent.id}`);
			}

			approveProfile(context, agent.id, before.profile!);
		} else if (options.forget && !forgetProfile(context, agent.id)) {
			throw new Refusal(`no profile of ${agent.title} is approved`, `fleet profile ${agent.id}`);
		}

		const after = {...before, state: stateOf(context, agent.id, before.profile)};
		if (options.json) {
			io.json(documentOf(after));
			return;
		}

		show(io, after, options.approve ? before.state : after.state);
	},
});
