import {branchName} from '../../core/git/refs.ts';
import type {Facts} from '../../core/run/facts.ts';
import {decideWord} from '../../core/run/rules.ts';
import {
	signatureNamespace,
	signersPath,
	statementText,
	type Signed,
	type Statement,
	type Viewed,
} from '../../core/run/statement.ts';
import type {Policy} from '../../core/policy.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Approval, Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import {sign, verifySignature} from '../../host/ssh-keygen.ts';
import type {Context} from '../context.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';

/** How a person says yes. */
export type Yes = {
	/** How much of the change was marked as viewed; undefined where that cannot be told. */
	readonly viewed?: Viewed | undefined;
	readonly because: string;
	/** The word that the policy asks for, as it was typed. */
	readonly confirmed?: string | undefined;
	/** The SSH key to sign with: a file, or a public key; git's `user.signingKey` by default. */
	readonly key?: string | undefined;
};

function auditText({audit}: Run): string {
	return audit
		? `${audit.items.map(item => `${item.id}=${item.status}`).join(' ')}${audit.stale ? ' (before the last change)' : ''}`
		: 'none';
}

/** Who may sign, by the target's own tip, never by what is to be merged. */
async function readSigners(git: Git, base: string): Promise<string> {
	const {code, stdout} = await git.run(['cat-file', 'blob', `${base}:${signersPath}`], {limit: 1024 ** 2});
	if (code !== 0 || stdout.trim() === '') {
		throw gateRefusal(
			'the policy wants approvals signed, and names nobody who may sign',
			`commit ${signersPath}, a line for each: NAME KEY, as in an allowed_signers file of SSH`,
		);
	}

	return stdout;
}

function statementOf(
	run: Run,
	facts: Facts,
	{verify, because, audit, at, viewed}: Pick<Statement, 'verify' | 'because' | 'audit' | 'at' | 'viewed'>,
): Statement {
	return {...facts, run: run.id, target: run.target, verify, audit, at, because, viewed};
}

/** What the policy of the target's tip wants of an approval. */
export async function wantedOf(context: Context, run: Run): Promise<Policy['approve']> {
	const {git} = await openRun(context, run);
	const {policy} = await readPolicy(git, run.target);
	return policy.approve;
}

/**
 * What the policy wants of an approval besides the yes: its word, and a signature of exactly what is approved.
 * @returns the signature; undefined where none is wanted
 * @throws Refusal where the word was not typed, or nobody who may signed
 */
export async function confirmApproval(
	run: Run,
	{git, checkout, facts}: {readonly git: Git; readonly checkout: Git; readonly facts: Facts},
	{because, confirmed, key, viewed}: Yes,
): Promise<Signed | undefined> {
	const {
		policy: {approve},
	} = await readPolicy(git, facts.base);
	const refusal = decideWord(approve.word, confirmed);
	if (refusal) {
		throw refusal;
	}

	if (!approve.sign) {
		return undefined;
	}

	const signers = await readSigners(git, facts.base);
	const own = key ?? (await checkout.run(['config', '--get', 'user.signingKey'])).stdout.trim();
	if (own === '') {
		throw new Refusal(
			'the policy wants approvals signed, and you have no key for it',
			'name one with --key FILE, or once for all: git config --global user.signingKey FILE',
		);
	}

	const [audit, at] = [auditText(run), new Date().toISOString()];
	const text = statementText(statementOf(run, facts, {verify: run.verification!.digest, because, audit, at, viewed}));
	const signature = await sign(text, own, signatureNamespace);
	const whose = await verifySignature(text, {signature, signers, namespace: signatureNamespace});
	if (whose instanceof Refusal) {
		throw gateRefusal(whose.because, `${signersPath} on ${branchName(run.target)} says who they are`);
	}

	return {signer: whose.signer, audit, at, signature};
}

/**
 * Whether an approval is signed as a policy wants it.
 * @param onto.at the commit that is merged onto, whose policy and signers count: never one that the journal names
 * @returns a refusal where it is not
 */
export async function checkSignature(
	git: Git,
	run: Run,
	{approval, at}: {readonly approval: Approval; readonly at: string},
): Promise<Refusal | undefined> {
	const {
		policy: {approve},
	} = await readPolicy(git, at);
	if (!approve.sign) {
		return undefined;
	}

	const {signed, verify, because, base, head, tree, policy, viewed} = approval;
	if (!signed) {
		return gateRefusal('the policy wants approvals signed, and this one is not', `fleet approve ${run.id}`);
	}

	const text = statementText(
		statementOf(run, {base, head, tree, policy}, {verify, because, audit: signed.audit, at: signed.at, viewed}),
	);
	const whose = await verifySignature(text, {
		signature: signed.signature,
		signers: await readSigners(git, at),
		namespace: signatureNamespace,
	});
	return whose instanceof Refusal ? gateRefusal(whose.because, `fleet approve ${run.id}`) : undefined;
}
