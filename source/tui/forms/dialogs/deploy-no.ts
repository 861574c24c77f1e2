import {requestText} from '../../../core/deploy/request.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {selectedRun} from '../../state.ts';
import {runVerb} from '../../step.ts';
import {askAgain, fact, reasonArguments, reasonField, taskLine, type DialogDefinition} from './dialog.ts';

/** A no to a deploy that somebody asked for: signed, as the yes is, and said with a reason. */
export const deployNo: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const request = run.deployRequest;
		return (
			request?.asked && {
				title: `Reject the deploy of ${run.id} to ${request.target}`,
				runs: [run.id],
				verb: 'reject',
				lines: [
					taskLine(run),
					fact('Asked', `by ${escapeLine(request.asked.requester)}: ${escapeLine(request.asked.because)}`),
					fact('Approval', escapeLine(requestText(request))),
					fact('Signed', 'with your SSH key; it stands, asked again or not, until you approve it (p)'),
				],
				fields: [reasonField('why not, for whoever asked')],
			}
		);
	},
	submit(state, dialog, {reason}) {
		const [id = ''] = dialog.runs;
		const {subject: target = ''} = dialog;
		if (!reason) {
			return askAgain(state, dialog, {field: 'reason', because: 'a no needs a reason'});
		}

		return runVerb(state, id, {argv: ['deploy', id, target, '--reject', ...reasonArguments(reason)], title: 'reject'});
	},
};
