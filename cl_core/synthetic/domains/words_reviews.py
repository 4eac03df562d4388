"""The words of restaurant, film and product reviews, and those that all reviews share.

Verdicts are worded with neutral words: what the writer will do, not how it felt.
"""

from __future__ import annotations

from cl_core.synthetic.domains.vocabulary import Vocabulary, aspects, lines

RESTAURANTS = Vocabulary(
    aspects("""
        soup
            1: fragrant; piping hot; deeply savoury
            0: watery; lukewarm; oversalted
        bread
            1: freshly baked; crusty; warm to the touch
            0: stale; dry; rock hard
        waiters+
            1: attentive; cheerful; quick
            0: curt; forgetful; slow
        fish
            1: tender; perfectly grilled; flaky
            0: overcooked; bony; rubbery
        wine list
            1: well chosen; surprising; fairly priced
            0: unimaginative; overpriced; muddled
        dining room
            1: cosy; softly lit; peaceful
            0: draughty; deafening; cramped
        dumplings+
            1: plump; juicy; delicate
            0: greasy; doughy; cold
        dessert
            1: silky; worth the calories; heavenly
            0: sickly; bland; half frozen
        portions+
            1: generous; just right; hearty
            0: tiny; stingy; meagre
        coffee
            1: strong; aromatic; velvety
            0: bitter; burnt; weak
        sauce
            1: bright; velvety smooth; well balanced
            0: gluey; sour; lumpy
        table linen
            1: spotless; crisp; immaculate
            0: stained; crumpled; sticky
        chef
            1: inventive; full of good ideas; passionate
            0: careless; uninspired; arrogant
        salad
            1: crunchy; zesty; garden fresh
            0: limp; soggy; sandy
    """),
    {
        "occasion": lines("""
            we came on a Tuesday for my aunt's birthday
            we had a table by the kitchen door
            six of us stopped for lunch after the market
            I ordered the tasting menu
            we walked in without a reservation
            I ate at the counter after a long train ride
        """),
        "elsewhere": lines("""
            at the bistro across the road
            at the canteen downstairs
            at the brasserie by the station
            at my usual noodle bar
        """),
        "verdict1": lines("""
            we have booked again for May
            I am taking my parents there on Sunday
            we stayed for a second round and left at midnight
            I asked for the recipe and for a table next week
            we will eat there every time we are in town
        """),
        "verdict0": lines("""
            we left before the main course
            next time we will cook at home
            I paid for half of it and walked to the kebab stand
            we have cancelled the table for May
            we will not eat there again
        """),
    },
)

FILMS = Vocabulary(
    aspects("""
        plot
            1: clever; tightly woven; gripping
            0: thin; predictable; full of holes
        lead actress
            1: magnetic; convincing; fearless
            0: wooden; miscast; lifeless
        dialogue
            1: witty; razor sharp; natural
            0: clumsy; stilted; preachy
        score
            1: haunting; stirring; subtle
            0: blaring; syrupy; intrusive
        ending
            1: moving; earned; unforgettable
            0: rushed; absurd; unsatisfying
        camera work
            1: breathtaking; fluid; poetic
            0: shaky; murky; flat
        villain
            1: chilling; layered; delightfully wicked
            0: cartoonish; toothless; laughable
        pacing
            1: taut; brisk; assured
            0: sluggish; uneven; glacial
        costumes+
            1: sumptuous; authentic; gorgeous
            0: cheap; anachronistic; drab
        jokes+
            1: hilarious; fresh; perfectly timed
            0: tired; crude; laboured
        special effects+
            1: dazzling; seamless; spectacular
            0: clunky; dated; ugly
        middle act
            1: absorbing; tense; full of surprises
            0: tedious; bloated; aimless
        child actors+
            1: touching; believable; wonderful
            0: grating; stiff; lost
        love story
            1: tender and true; bittersweet; credible
            0: mawkish; forced; hollow
    """),
    {
        "occasion": lines("""
            I saw it at a matinee with eleven other people
            we watched it on the opening night
            I knew nothing about the director
            this is the third part of the series
            I had read the novel twice
            we caught it at the open-air cinema
        """),
        "elsewhere": lines("""
            in the first part
            in the director's previous picture
            in the television version
            in the French original
        """),
        "verdict1": lines("""
            I bought a ticket for the late showing as well
            I stayed in my seat until the lights came on
            I have already ordered the disc
            I would see it again tomorrow
            go and see it on the largest screen you can find
        """),
        "verdict0": lines("""
            I left after an hour
            I asked for my ticket money back
            wait until it is on television and then wash the dishes
            I would not see it again if I were paid to
            I spent the second half reading the exit signs
        """),
    },
)

PRODUCTS = Vocabulary(
    aspects("""
        battery
            1: long-lasting; dependable; quick to charge
            0: short-lived; unreliable; hot to the touch
        lid
            1: tight; sturdy; easy to open
            0: loose; flimsy; impossible to close
        handle
            1: comfortable; solid; well shaped
            0: wobbly; slippery; sharp
        instructions+
            1: clear; brief; beautifully drawn
            0: baffling; badly translated; incomplete
        motor
            1: quiet; powerful; smooth
            0: noisy; feeble; jerky
        screen
            1: bright as day; sharp and clear; scratch-proof
            0: dim; blurry; easily scratched
        buttons+
            1: responsive; well placed; satisfying to press
            0: stiff to press; badly placed; mushy
        packaging
            1: compact; recyclable; clever to unpack
            0: wasteful; torn; oversized
        strap
            1: soft; adjustable; durable
            0: scratchy; too short; frayed
        zip
            1: smooth-running; robust; waterproof
            0: jammed; crooked; leaky
        speaker
            1: crisp in tone; rich; loud enough
            0: tinny; muffled; crackling
        hinges+
            1: firm; silent; precisely fitted
            0: squeaky; bent; rusty
        filter
            1: washable; effective; simple to change
            0: clogged; useless; fiddly
        colour
            1: true to the picture; warm; elegant
            0: faded; garish; nothing like the picture
    """),
    {
        "occasion": lines("""
            I have used it every morning for a month
            it arrived on Friday with a spare cable
            I bought it to replace a fifteen-year-old one
            this is the blue model with the larger tank
            I ordered two, one for the office
            it was a present from my brother
        """),
        "elsewhere": lines("""
            on the model I had before
            on the cheaper version
            on my neighbour's
            on the one from the supermarket
        """),
        "verdict1": lines("""
            I have ordered a second one for my mother
            it has moved from the cupboard to the worktop
            mine is staying right here
            I would buy it again without thinking twice
            I have thrown the return label away
        """),
        "verdict0": lines("""
            I sent it back on Monday
            it now lives at the back of the cupboard
            I have gone back to doing it by hand
            mine is already for sale again
            keep the receipt, as you will want it
        """),
    },
)

SHARED_REVIEWS = Vocabulary(
    aspects("""
        price
            1: fair; reasonable; a bargain
            0: outrageous; inflated; hard to justify
        staff
            1: friendly; helpful; patient
            0: rude; unhelpful; impatient
        website
            1: easy to use; up to date; fast
            0: confusing; outdated; broken
        quality
            1: excellent; consistent; impressive
            0: poor; patchy; disappointing
        advertising
            1: honest; accurate; modest
            0: misleading; exaggerated; dishonest
        service
            1: flawless; prompt; warm-hearted
            0: dreadful; sloppy; indifferent
        atmosphere
            1: charming; relaxed; inviting
            0: gloomy; hostile; joyless
        design
            1: stylish; thoughtful; timeless
            0: ugly to look at; thoughtless; dull
        details+
            1: lovingly done; delightful; precise
            0: shoddy; annoying; neglected
        first impression
            1: superb; promising; lovely
            0: awful; off-putting; terrible
    """),
    {
        "occasion": lines("""
            a friend had talked me into it
            I had waited for this for a long time
            I tried it on a rainy weekend
            I had no expectations at all
        """),
        "elsewhere": lines("""
            everywhere else I have tried
            at the last place I tried
            in most other cases
        """),
        "verdict1": lines("""
            I would do it again
            I have told all my friends to try it
            it was money well spent
            count me in for next time
        """),
        "verdict0": lines("""
            I would not do it again
            I have told all my friends to stay away
            it was money down the drain
            there will be no next time
        """),
    },
)
