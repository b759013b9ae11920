import { stringAttribute } from './attributes.js'
import type { Node } from './graph.js'

/** A label for each axis. */
export type Labels = readonly string[]

/** An Einsum's equation with every axis labelled. */
export interface Equation {
  readonly operands: readonly Labels[]
  readonly output: Labels
}

/**
 * Reads an Einsum's equation. The axes under an ellipsis are numbered from the right, as broadcasting aligns them.
 *
 * @param ranks of the operands.
 */
export function equationOf(node: Node, ranks: readonly number[]): Equation {
  const [left, right] = stringAttribute(node, 'equation', '').replaceAll(' ', '').split('->')
  const terms = left.split(',')
  const covered = terms.map((term, at) => ranks[at] - lettersOf(term).length)
  return {
    operands: terms.map((term, at) => labelsOf(term, covered[at])),
    output: labelsOf(right ?? implicitOutput(terms), Math.max(...covered)),
  }
}

/** @param covered axes under the ellipsis. */
function labelsOf(term: string, covered: number): Labels {
  const [front, back] = term.split('...')
  if (back === undefined) return [...term]
  return [...front, ...Array.from({ length: covered }, (_, at) => `${covered - at}`), ...back]
}

/** Without an arrow: the ellipsis, then the labels that occur once, in alphabetical order. */
function implicitOutput(terms: readonly string[]): string {
  const letters = terms.flatMap(lettersOf)
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter))
  return (terms.some((term) => term.includes('...')) ? '...' : '') + once.sort().join('')
}

function lettersOf(term: string): Labels {
  return [...term.replaceAll('.', '')]
}
