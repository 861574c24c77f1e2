import {readFileSync} from 'node:fs';
import {Refusal} from '../../core/refusal.ts';
import {emptyReview, type Review} from '../../core/review/comments.ts';
import {pulse, type RunPaths} from '../../host/paths.ts';
import {replaceFile} from '../../host/write.ts';

/*
 * What a person marked and said in a review, beside the run's journal.
 * The screen reads it before its first frame, so it needs little.
 */

/**
 * What a person saw of a run's change, and said about it.
 * @throws Refusal where the file is damaged: taken for an empty one, it would be written over
 */
export function readReview(places: RunPaths): Review {
	let text: string;
	try {
		text = readFileSync(places.review, 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return emptyReview;
		}

		throw error;
	}

	const review = parseReview(text);
	if (review === undefined) {
		throw new Refusal(`${places.review} is not a review`, 'mend it, or move it away');
	}

	return review;
}

/** By hand and not by a schema: the screen loads this before its first frame. */
function parseReview(text: string): Review | undefined {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		// What is no JSON is no review either.
		return undefined;
	}

	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		return undefined;
	}

	const {viewed = {}, atOnce = {}, comments = []} = value as {viewed?: unknown; atOnce?: unknown; comments?: unknown};
	return isDigests(viewed) &&
		isDigests(atOnce) &&
		Array.isArray(comments) &&
		comments.every(comment => typeof comment?.id === 'string' && typeof comment.path === 'string')
		? {
				viewed,
				...(Object.keys(atOnce).length > 0 ? {atOnce} : {}),
				comments: comments as Review['comments'],
			}
		: undefined;
}

/** Whether a value is texts by their names. */
function isDigests(value: unknown): value is Readonly<Record<string, string>> {
	return (
		typeof value === 'object' && value !== null && Object.values(value).every(digest => typeof digest === 'string')
	);
}

/** @throws Refusal where what is there is damaged: it is not written over */
export function writeReview(places: RunPaths, review: Review): void {
	readReview(places);
	replaceFile(places.review, JSON.stringify(review));
	pulse(places);
}
