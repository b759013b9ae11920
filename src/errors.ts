/**
 * A mistake the user can mend: a file, a setting, a model. Its message is one line that says what was wrong, where,
 * and what to do. Every other error is ours and keeps its cause.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The evaluation broke (time limit, crash, memory): not the user's mistake in form, and never a regression. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError'
}
