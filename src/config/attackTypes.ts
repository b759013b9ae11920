import type { Norm } from './norm.js'

/** What a suite may hold: one interface for each attack, complete after parsing (defaults: attackSchemas.ts). */

export type LossName = 'cross-entropy' | 'margin' | 'dlr'

/** Some published attacks are set otherwise under L1. */
export type PerNorm<T> = Readonly<Record<Norm, T>>

interface AttackCommon {
  /** Unique in its suite; the key in results. */
  readonly id: string
  /** Only images that no earlier attack of the suite broke under this threat. */
  readonly survivorsOnly: boolean
}

/** Exactly one of the two is set after parsing. */
interface StepSize {
  /** Absolute, in pixel units. */
  readonly stepSize?: number
  /** As a fraction of ε. */
  readonly relativeStepSize?: number
}

/** Goodfellow, Shlens and Szegedy 2015. */
export interface FgsmSpec extends AttackCommon {
  readonly name: 'fgsm'
  readonly loss: LossName
}

/** Madry et al. 2018. */
export interface PgdSpec extends AttackCommon, StepSize {
  readonly name: 'pgd'
  readonly loss: LossName
  readonly steps: number
  readonly randomStart: boolean
  /** Number of starts, at least 1. Without a random start only 1 makes sense. */
  readonly restarts: number
}

/** Basic iterative method (Kurakin, Goodfellow and Bengio 2017). */
export interface BimSpec extends AttackCommon, StepSize {
  readonly name: 'bim'
  readonly loss: LossName
  readonly steps: number
}

/** Momentum iterative FGSM (Dong et al. 2018). */
export interface MiFgsmSpec extends AttackCommon, StepSize {
  readonly name: 'mi-fgsm'
  readonly loss: LossName
  readonly steps: number
  /** μ, the share of the accumulated gradient that is kept. */
  readonly decay: number
}

interface AutoPgdCommon extends AttackCommon {
  readonly steps: number
  readonly restarts: PerNorm<number>
  /** ρ: the share of steps that must raise the loss, or the step is halved. */
  readonly rho: number
  /** Gradients averaged at every point (expectation over transformation), for models with randomness. */
  readonly eot: number
  /** Look for a start in larger balls. Under L1 that is done in any case. */
  readonly largerBalls: boolean
}

/** APGD (Croce and Hein 2020; under L1: 2021). */
export interface ApgdSpec extends AutoPgdCommon {
  readonly name: 'apgd'
  readonly loss: LossName
}

/** APGD on the targeted DLR loss, towards one class after another. */
export interface ApgdTargetedSpec extends AutoPgdCommon {
  readonly name: 'apgd-t'
  /** The classes that are tried, most likely first. */
  readonly targets: PerNorm<number>
}

interface FabCommon extends AttackCommon {
  readonly steps: number
  readonly restarts: number
  /** The greatest weight of the step towards the original image. */
  readonly alphaMax: number
  /** Overshoot. */
  readonly eta: number
  /** How far back towards the original image after each success. */
  readonly beta: number
}

/** Fast adaptive boundary attack (Croce and Hein, ICML 2020): least distance, towards whichever class is nearest. */
export interface FabSpec extends FabCommon {
  readonly name: 'fab'
}

/** FAB towards one class after another. */
export interface FabTargetedSpec extends FabCommon {
  readonly name: 'fab-t'
  readonly targets: number
}

/** Square attack (Andriushchenko et al. 2020): random search, no gradient. */
export interface SquareSpec extends AttackCommon {
  readonly name: 'square'
  readonly queries: number
  readonly restarts: number
  /** Share of the pixels that the first squares cover. */
  readonly p: number
}

/** DeepFool (Moosavi-Dezfooli, Fawzi and Frossard 2016). */
export interface DeepFoolSpec extends AttackCommon {
  readonly name: 'deepfool'
  readonly steps: number
  readonly overshoot: number
  /** The classes that are looked at, most likely first. */
  readonly candidates: number
}

/** Carlini and Wagner 2017, L2. */
export interface CarliniWagnerSpec extends AttackCommon {
  readonly name: 'cw'
  readonly steps: number
  readonly binarySearchSteps: number
  /** Learning rate of Adam. */
  readonly stepSize: number
  /** κ. */
  readonly confidence: number
  /** c at the beginning of the binary search. */
  readonly initialConstant: number
}

/** Decoupled direction and norm (Rony et al. 2019), L2. */
export interface DdnSpec extends AttackCommon {
  readonly name: 'ddn'
  readonly steps: number
  /** Norm of the first perturbation, in units of the range's width, so that it means the same in 0…1 and in 0…255. */
  readonly initialEpsilon: number
  /** γ, by which the norm grows or shrinks. */
  readonly gamma: number
}

/** Random points of the ball. */
export interface NoiseSpec extends AttackCommon {
  readonly name: 'noise'
  readonly points: number
}

export type AttackSpec =
  | FgsmSpec
  | PgdSpec
  | BimSpec
  | MiFgsmSpec
  | ApgdSpec
  | ApgdTargetedSpec
  | FabSpec
  | FabTargetedSpec
  | SquareSpec
  | DeepFoolSpec
  | CarliniWagnerSpec
  | DdnSpec
  | NoiseSpec

export type AttackName = AttackSpec['name']
