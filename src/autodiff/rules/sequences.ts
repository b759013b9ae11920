import { UsageError } from '../../errors.js'
import { describe } from '../../onnx/attributes.js'
import type { Rule } from '../rule.js'

/** Who reads a sequence is written out as what reads the tensors in it, so that no gradient arrives where one is made. */
const passedBy: Rule = (node) => {
  throw new UsageError(
    `${describe(node)} makes a sequence for an operator that has no gradient rule; export the model with plain tensors`,
  )
}

export const sequences: Readonly<Record<string, Rule>> = {
  SequenceConstruct: passedBy,
  SequenceEmpty: passedBy,
  SequenceErase: passedBy,
  SequenceInsert: passedBy,
}
