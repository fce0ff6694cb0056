/** How the figures came about, for those who doubt them. */

export const READING_BARS =
  'All on one axis: how many times better than its bar, to the right is better, whether more or less is wanted; shaded is missed. The circle is the median, hollow where it misses, the line through it its 95 % interval, and the small dots are the single rounds.';

export const METHOD: readonly { readonly title: string; readonly text: string }[] = [
  {
    title: 'Reading the plots',
    text: 'A bar ends at the median of the rounds. The whisker on it is the 95 % interval of that median, the dots below it are the single rounds. Tether has the colour, peers are grey, and hatched is what this machine can do at best, with a dotted line where that is.',
  },
  {
    title: 'Interleaved rounds',
    text: 'Unless a scenario says otherwise, each round measures every subject, one after the other, and every second round goes backwards. What slows the machine down for a while so slows all of them, and none is always the one that runs after another. A ratio is taken within each round, of two measurements that are near in time, and only then over the rounds.',
  },
  {
    title: 'Intervals',
    text: 'The interval says how sure the median is, not how far the rounds lie apart. It is found by the bootstrap: rounds are drawn with replacement, as many as there were, 4,000 times, and the interval holds the middle 95 % of the medians of these draws. With few rounds it is coarse, and of one round there is none. It knows of nothing that was the same in all rounds: another machine, another kernel or a warm disk may give other figures.',
  },
  {
    title: 'Within noise',
    text: 'A bar is met or missed when the whole interval lies on one side of it. When the interval reaches over the bar, the side of the median is told, with the words “within noise”: a second run may well come out on the other side.',
  },
  {
    title: 'Closed and open loop',
    text: 'In a closed loop each connection sends its next request when the answer to the last has come: it shows the highest rate, but when the server stalls, the load waits with it and the stall is counted once. That is coordinated omission, and it hides the tail. In an open loop requests are due at a constant rate, whatever the server does, and a latency counts from the moment at which its request was due; so a stall is in the latency of all requests that it delayed. Latencies over percentiles are to be believed from the open loop.',
  },
  {
    title: 'Percentiles',
    text: 'Latencies are kept in a histogram with three significant digits. Percentiles are drawn by 1/(1 − p), so that 99 %, 99.9 % and 99.99 % are equally far apart; of several rounds each percentile is the median of the rounds.',
  },
];
