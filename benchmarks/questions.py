"""Questions as people put them, each with the title of the sample company's article that answers it.

They are our own, not a public set, and not for tuning: they were written once, without looking at what the search made of
them, in other words than the articles' where there are any.
"""

from __future__ import annotations

_BY_TITLE: dict[str, str] = {
    "Why is my water bill so high?": """
        my usage suddenly tripled and i dont know why
        is there a leak somewhere in my house
        toilet keeps running, will you reduce what I owe
        the meter must be wrong, these charges are crazy
        how can I check whether water is escaping
    """,
    "Pay your water bill": """
        what are my options to settle the amount for water
        can i use a credit card for the utility
        do you accept cash at the office for water
        how to set up autopay
        is there a charge for paying by phone
    """,
    "I cannot pay my water bill on time": """
        lost my job, behind on water
        please dont disconnect us
        can I get more time to pay for utilities
        help for poor families with water costs
        installments for my water debt
    """,
    "Start or stop water service when you move": """
        we bought a house and need the water turned on in our name
        moving out next week, close my account
        new tenant utilities
        when will I get my deposit back
        final reading for apartment
    """,
    "Find out why there is no water": """
        nothing comes out of the faucet this morning
        is there an outage in my street
        only the hot tap is dry
        frozen pipes what can i do
        water went off suddenly
    """,
    "Senior and disability exemption from property tax": """
        tax relief for retired people
        my mother is 83, does she have to pay taxes on her house
        disabled veteran discount house tax
        form SE-2
        what is the income limit for the reduction for the elderly
    """,
    "Pay property tax in two halves": """
        when is the second payment for my house taxes
        can i split my real estate tax
        is the april deadline for all of it
        what happens if i pay my property taxes late
        due dates for taxes on land
    """,
    "Appeal the assessed value of your home": """
        the county says my house is worth way too much
        how do i fight my valuation
        object to appraisal letter
        board of equalization hearing
        assessment went up 30 percent, i disagree
    """,
    "Change the mailing address for tax statements": """
        my tax bill is sent to the old owner
        send the property tax letters to my new home
        we moved, where do i update where you mail the taxes
        statement goes to the wrong place
    """,
    "Do I need a permit for a fence?": """
        how tall can my fence be
        building a wall between me and my neighbour
        privacy screen in front yard rules
        who marks the gas lines before digging
        retaining wall four feet
    """,
    "Electrical permits and inspections": """
        installing a charger for my tesla
        can i rewire my own house
        when does the electrical inspector come
        new breaker box paperwork
        replace a light switch do i need approval
    """,
    "Sheds, garages and decks: what may be built without a permit": """
        small tool house in the backyard
        how close to the property line can I put an outbuilding
        want to add a carport
        do i need permission for a patio deck
        size limit for storage building
    """,
    "Cut down a tree on your land": """
        removing a big oak in my garden
        neighbor's maple hangs over the line, may I fell it
        clear trees near the creek
        is it legal to chop down a pine
        city tree in front of the house looks sick
    """,
    "License your dog": """
        i got a puppy what do i have to do
        dog tag renewal cost
        rabies shot proof for my pet
        we just moved here with two dogs
        replace lost dog tag
    """,
    "Lost and found animals": """
        my cat ran away
        i picked up a stray
        how long do you keep animals before adopting them out
        someone found my puppy, where is it
        cost to get my pet out of the pound
    """,
    "A neighbor's dog barks all the time": """
        barking next door keeps me awake
        noise complaint about an animal
        can they be fined for a loud pet
        how to document constant howling
    """,
    "Register to vote or change your address": """
        deadline for signing up for the election
        i turned 18, can i take part in the vote
        new resident voting
        can I enroll on the day of the election
        moved across town, update voter record
    """,
    "My ballot has not come, or is damaged": """
        i never got my voting papers
        spilled coffee on my ballot
        track whether my vote was counted
        can I print another ballot
        lost the envelope with my vote
    """,
    "Where are the ballot drop boxes?": """
        where can i hand in my vote
        do i need postage to vote by mail
        what time do the drop boxes close
        nearest place to drop off election envelope
    """,
    "Garbage and recycling collection": """
        which day do they pick up the trash
        they skipped my can yesterday
        is there collection on thanksgiving
        what time should my bins be out
        recycle truck did not come
    """,
    "Get rid of paint, batteries, mattresses and other bulky or dangerous waste": """
        old couch pickup
        where to take used motor oil
        how do i throw away lithium batteries
        dispose of a fridge
        hazardous chemicals drop off hours
    """,
    "Report a pothole or a broken street light": """
        lamp in front of my house is dark
        hole in the road damaged my tire, who pays
        street needs repair
        claim for car damage because of the road
        light pole flickers
    """,
    "Snow and ice: which roads are plowed first": """
        when will you clear my street after the blizzard
        do i have to shovel the sidewalk
        where can i get sand for an icy driveway
        plow did not come to our cul-de-sac
    """,
    "Order a birth, death or marriage certificate": """
        copy of my birth record
        need proof that my father passed away
        how much is a certified marriage record
        get my kid's birth papers by mail
        vital records
    """,
    "Get a marriage license": """
        we want to get married at the courthouse
        what do we need to bring to tie the knot
        waiting period before the wedding
        how many witnesses for a wedding
    """,
}

QUESTIONS: tuple[tuple[str, str], ...] = tuple(
    (line.strip(), title) for title, lines in _BY_TITLE.items() for line in lines.strip().splitlines()
)
