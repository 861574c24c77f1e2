/* A run's place among others that are verified together, as journals say it. */

/** One run of a train: its branch, and where that was. */
export type Rider = {readonly run: string; readonly branch: string; readonly head: string};

/** Where a run was verified together with others. */
export type TrainPlace = {
	readonly id: string;
	/** From 1. */ readonly place: number;
	/** All that were verified together, in the order in which they are merged. */ readonly runs: readonly Rider[];
	/** The target's tip below them. */ readonly from: string;
	/** The commit that stands for all of them, merged: what the commands were run on. */ readonly whole: string;
};

/** One move of a target over several runs: from where to where. */
export type TrainMove = {readonly id: string; readonly from: string; readonly tip: string};
