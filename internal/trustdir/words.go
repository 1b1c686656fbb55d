package trustdir

// wordList has a word for each byte: short, common, and no two that sound alike.
const wordList = `
acid actor adult agent album alley amber angel ankle apple april apron arena armor arrow aspen
atlas attic audio autumn axis badge bagel baker banjo barrel basil basket beach beaver bench berry
bicycle bird bishop bison blanket blossom bonus border bottle branch bread bridge bronze bubble bucket budget
butter button cabin cactus camel camera candle canoe canvas carbon carpet castle cedar cement cherry chess
chicken chimney cinema circle citrus clinic clock cloud clover cobalt cocoa coffee comet compass copper
coral cotton cradle crater cricket crystal cube curtain cycle dance deer delta denim desert diamond diesel
dinner doctor dolphin donkey dragon drum eagle earth echo elbow elephant engine escape fabric falcon family
farmer feather fennel ferry fiddle filter finger flame flute forest fossil fountain fox frost fudge galaxy
garage garden garlic gecko ginger giraffe glacier globe goblin granite grape guitar hammer harbor hazel helmet
hermit honey hotel husky iceberg igloo indigo insect iron island ivory jacket jaguar jasmine jelly jigsaw
jungle kayak kernel kettle kidney kiosk kitchen koala ladder lagoon lantern laptop lava lemon leopard library
lilac lizard lobster locust lotus magnet mango maple marble meadow melon mercury meteor mirror mosaic muffin
museum napkin nectar nickel night noodle nutmeg oasis ocean octopus olive onion orbit orchid oxygen oyster
paddle palace panda paper parrot pebble pencil pepper piano pigeon pilot pirate planet plasma pocket polar
poppy potato prism puzzle python quartz rabbit radar raven ribbon river robot rocket saddle salmon sandal
saturn scarf sierra silver skater spider sponge squid sugar sunset swan tango temple tiger tulip turtle umbrella
`
