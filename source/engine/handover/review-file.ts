import {readFileSync} from 'node:fs';
import {emptyReview, type Review} from '../../core/review/comments.ts';
import {pulse, type RunPaths} from '../../host/paths.ts';
import {replaceFile} from '../../host/write.ts';

/*
 * What a person marked and said in a review, beside the run's journal.
 * The screen reads it before its first frame, so it needs little.
 */

/** What a person saw of a run's change, and said about it. */
export function readReview(places: RunPaths): Review {
	try {
		return {...emptyReview, ...(JSON.parse(readFileSync(places.review, 'utf8')) as Partial<Review>)};
	} catch {
		return emptyReview;
	}
}

export function writeReview(places: RunPaths, review: Review): void {
	replaceFile(places.review, JSON.stringify(review));
	pulse(places);
}
