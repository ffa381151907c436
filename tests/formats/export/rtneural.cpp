// Runs a model of RTNeural's JSON: inputs on stdin and outputs on stdout, one step a line.
//
//     git clone https://github.com/jatinchowdhury18/RTNeural
//     g++ -std=c++17 -O2 -DRTNEURAL_USE_STL=1 -DRTNEURAL_DEFAULT_ALIGNMENT=16 -DRTNEURAL_NAMESPACE=RTNeural \
//         -I RTNeural rtneural.cpp RTNeural/RTNeural/RTNeural.cpp -o rtneural
#include <RTNeural/RTNeural.h>

#include <fstream>
#include <iostream>
#include <sstream>

int main(int, char** arguments)
{
    std::ifstream file(arguments[1], std::ifstream::binary);
    auto model = RTNeural::json_parser::parseJson<float>(file, false);
    if(!model)
        return 1;
    model->reset();
    std::cout.precision(9);
    std::string line;
    while(std::getline(std::cin, line))
    {
        std::istringstream words(line);
        alignas(16) float input[256] = {};
        for(int i = 0; i < 256 && words >> input[i]; ++i) {}
        model->forward(input);
        for(int i = 0; i < model->getOutSize(); ++i)
            std::cout << (i ? " " : "") << model->getOutputs()[i];
        std::cout << "\n";
    }
}
