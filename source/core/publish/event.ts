import type {ForgePlace} from './place.ts';
import type {CarrierName, ForgeState} from './state.ts';

/** What is about to be published: written down before anything is done, so that a lost answer can be looked up. */
export type PublishStart = {
	/** The commit, and no other, that is pushed. */
	readonly head: string;
	/** As git names it. */
	readonly remote: string;
	readonly place: ForgePlace;
	/** The ref there, and what it has to be before; null: it must not be there. */
	readonly ref: string;
	readonly expected: string | null;
	readonly draft: boolean;
	readonly via: CarrierName;
};

export type PublishEvent =
	| ({type: 'publish.started'} & PublishStart)
	| {type: 'publish.failed'; because: string}
	| {
			type: 'publish.finished';
			place: ForgePlace;
			number: number;
			url: string;
			head: string;
			draft: boolean;
			via: CarrierName;
			/** `made`: it was not there before. */ how: 'made' | 'found';
	  }
	/** How it stands there, where that is another way than before. */
	| ({type: 'publish.state'} & ForgeState)
	/** What was said there goes back to the agent. */
	| {type: 'publish.told'; ids: string[]};
